import Foundation
let answer = 42
func greet(name: String) -> String {
    let text = "Hello, \(name)"
    print(text)
    send(text, to: name)
    return text
}
