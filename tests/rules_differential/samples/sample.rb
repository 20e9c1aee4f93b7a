class Sample
  def greet(name)
    return if name.nil?
    text = "Hello, #{name}"
    puts text
    list.push(1, 2)
    text.strip
  end
end
