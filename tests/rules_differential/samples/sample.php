<html><?php
function greet($name) {
  $text = trim($name, " ");
  print_r(array_map(fn($x) => $x + 1, [1, 2]));
  echo strlen($text);
  return $text;
}
?></html>
