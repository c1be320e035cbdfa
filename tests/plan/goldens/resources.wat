;; A resource type for each instance of the component that defines it, used by a third component.
(component
  (component $Def
    (core module $d (func (export "dtor") (param i32)) (func (export "make") (result i32) i32.const 0))
    (core instance $d (instantiate $d))
    (type $r (resource (rep i32) (dtor (core func $d "dtor"))))
    (export $e "r" (type $r))
    (func (export "make") (result (own $e)) (canon lift (core func $d "make"))))
  (component $Use
    (import "one" (instance $one (export "r" (type $r1 (sub resource))) (export "make" (func (result (own $r1))))))
    (import "two" (instance $two (export "r" (type $r2 (sub resource))) (export "make" (func (result (own $r2))))))
    (alias export $one "r" (type $r1))
    (alias export $two "r" (type $r2))
    (core func $make1 (canon lower (func $one "make")))
    (core func $make2 (canon lower (func $two "make")))
    (core func $drop1 (canon resource.drop $r1))
    (core func $drop2 (canon resource.drop $r2))
    (core module $m
      (import "" "make1" (func (result i32))) (import "" "make2" (func (result i32)))
      (import "" "drop1" (func (param i32))) (import "" "drop2" (func (param i32)))
      (func (export "pair") (result i32) i32.const 0) (memory (export "m") 1))
    (core instance $i (instantiate $m (with "" (instance
      (export "make1" (func $make1)) (export "make2" (func $make2))
      (export "drop1" (func $drop1)) (export "drop2" (func $drop2))))))
    (func (export "pair") (result (tuple (own $r1) (own $r2)))
      (canon lift (core func $i "pair") (memory (core memory $i "m")))))
  (instance $one (instantiate $Def))
  (instance $two (instantiate $Def))
  (instance $use (instantiate $Use (with "one" (instance $one)) (with "two" (instance $two))))
  (export $e1 "one" (instance $one))
  (export $e2 "two" (instance $two))
  (export "use" (instance $use)))
