;; Two instances of one wrapper, one around the other, and re-exports.
(component
  (import "store" (instance $host (export "get" (func (param "key" u32) (result u32)))))
  (component $Wrap
    (import "store" (instance $inner (export "get" (func (param "key" u32) (result u32)))))
    (core func $get (canon lower (func $inner "get")))
    (core module $m (import "" "get" (func (param i32) (result i32))) (func (export "get") (param i32) (result i32)
      i32.const 0))
    (core instance $i (instantiate $m (with "" (instance (export "get" (func $get))))))
    (func (export "get") (param "key" u32) (result u32) (canon lift (core func $i "get"))))
  (instance $a (instantiate $Wrap (with "store" (instance $host))))
  (instance $b (instantiate $Wrap (with "store" (instance $a))))
  (export "plain" (instance $host))
  (export "once" (instance $a))
  (func (export "twice") (alias export $b "get")))
