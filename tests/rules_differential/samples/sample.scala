object Sample {
  val answer = 42
  def twice(x: Int) = x * 2
  def main(args: Array[String]): Unit = {
    val text = s"Hello, ${args(0)}"
    println(text)
  }
}
