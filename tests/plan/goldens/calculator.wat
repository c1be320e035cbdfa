;; One core module, lifted functions with every option, an exported instance.
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
    (func (export "add") (param i32 i32) (result i32) i32.const 0)
    (func (export "greet") (param i32 i32) (result i32) i32.const 0)
    (func (export "after") (param i32)))
  (core instance $i (instantiate $m))
  (func $add (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "add")))
  (func $greet (param "name" string) (result string)
    (canon lift (core func $i "greet") string-encoding=utf16
      (memory (core memory $i "memory")) (realloc (core func $i "realloc")) (post-return (core func $i "after"))))
  (instance $words (export "greet" (func $greet)))
  (export "add" (func $add))
  (export "a:b/words@1.0.0" (instance $words)))
