;; A nested component keeps the module that its parent was given, wherever it is instantiated.
(component
  (component $C
    (import "m" (core module $M (export "get" (func (result i32)))))
    (component $Inner
      (core instance $i (instantiate $M))
      (func (export "get") (result u32) (canon lift (core func $i "get"))))
    (export "inner" (component $Inner)))
  (core module $One (func (export "get") (result i32) (i32.const 1)))
  (core module $Two (func (export "get") (result i32) (i32.const 2)))
  (instance $c1 (instantiate $C (with "m" (core module $One))))
  (instance $c2 (instantiate $C (with "m" (core module $Two))))
  (alias export $c1 "inner" (component $I1))
  (alias export $c2 "inner" (component $I2))
  (instance $i1 (instantiate $I1))
  (instance $i2 (instantiate $I2))
  (func (export "one") (alias export $i1 "get"))
  (func (export "two") (alias export $i2 "get")))
