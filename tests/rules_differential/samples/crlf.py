print(1)
x == x
if a:
    b
else:
    c
