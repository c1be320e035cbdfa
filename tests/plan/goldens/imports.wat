;; Imported functions, resources, modules; a core instance made of single items.
(component
  (import "a:b/store@0.2.0" (instance $store
    (export "key" (type $key (sub resource)))
    (export "[constructor]key" (func (param "name" u32) (result (own $key))))
    (export "get" (func (param "k" (borrow $key)) (result u32)))))
  (import "log" (func $log (param "n" u32)))
  (import "base" (core module $Base (import "x" "y" (func)) (export "g" (global i32))))
  (alias export $store "key" (type $key))
  (core func $new (canon lower (func $store "[constructor]key")))
  (core func $get (canon lower (func $store "get")))
  (core func $log (canon lower (func $log)))
  (core func $drop (canon resource.drop $key))
  (core module $x (func (export "y")))
  (core instance $x (instantiate $x))
  (core instance $base (instantiate $Base (with "x" (instance $x))))
  (core module $m
    (import "s" "new" (func (param i32) (result i32)))
    (import "s" "get" (func (param i32) (result i32)))
    (import "s" "drop" (func (param i32)))
    (import "s" "log" (func (param i32)))
    (import "b" "g" (global i32))
    (func (export "run") (param i32) (result i32) i32.const 0))
  (core instance $i (instantiate $m
    (with "s" (instance (export "new" (func $new)) (export "get" (func $get))
      (export "drop" (func $drop)) (export "log" (func $log))))
    (with "b" (instance $base))))
  (func (export "run") (param "n" u32) (result (own $key)) (canon lift (core func $i "run"))))
