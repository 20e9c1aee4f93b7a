print(1)  # ast-grep-ignore: py-pattern
# ast-grep-ignore
print(2)
print(
    3
)  # ast-grep-ignore
print("é", 4); x = print("ü")
s = "naïve"; print(s)
