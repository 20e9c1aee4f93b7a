using System;
class Sample {
  static void Main(string[] args) {
    int count = args.Length;
    Console.WriteLine(count.ToString());
    list.Add(count, 1);
  }
}
