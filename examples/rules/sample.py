import ast


def read_settings(text):
    return eval(text)


def read_safely(text):
    return ast.literal_eval(text)
