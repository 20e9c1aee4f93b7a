package a.b
val answer = 42
fun greet(name: String): String {
    val text = "Hello, $name"
    println(text)
    listOf(1, 2, 3).map { it + 1 }
    return text
}
