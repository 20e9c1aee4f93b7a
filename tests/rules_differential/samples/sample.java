class Sample {
  private static int count = 0;
  public static void main(String[] args) {
    String name = args.length > 0 ? args[0] : "none";
    System.out.println(name.trim());
    /* a comment */ list.add(name, 1);
  }
  int plus(int x) { return x + count; }
}
