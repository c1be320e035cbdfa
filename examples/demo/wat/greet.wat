;; A whole component as text: one core module, and its function lifted to `greet: func(name: string) -> string`.
(component
  (core module $impl
    (memory (export "memory") 1)
    (data (i32.const 16) "Hello, ")

    ;; Where free memory begins; what lies before it is the text above and the place for results.
    (global $top (mut i32) (i32.const 1024))

    (func $allocate (export "cabi_realloc")
      (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
      (local $start i32)
      ;; start = the first multiple of align at or after top
      (local.set $start
        (i32.and
          (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
          (i32.sub (i32.const 0) (local.get $align))))
      (global.set $top (i32.add (local.get $start) (local.get $size)))
      (call $reserve (global.get $top))
      (memory.copy (local.get $start) (local.get $old) (local.get $old_size))
      (local.get $start))

    ;; Grows the memory until it reaches $end, or traps.
    (func $reserve (param $end i32)
      (local $missing i32)
      (local.set $missing
        (i32.sub
          (i32.shr_u (i32.add (local.get $end) (i32.const 65535)) (i32.const 16))
          (memory.size)))
      (if (i32.gt_s (local.get $missing) (i32.const 0))
        (then
          (if (i32.eq (memory.grow (local.get $missing)) (i32.const -1))
            (then unreachable)))))

    ;; Gives the address of a pair: where the greeting starts, how many bytes it has.
    (func (export "greet") (param $name i32) (param $length i32) (result i32)
      (local $text i32) (local $size i32)
      (local.set $size (i32.add (local.get $length) (i32.const 8)))
      (local.set $text (call $allocate (i32.const 0) (i32.const 0) (i32.const 1) (local.get $size)))
      (memory.copy (local.get $text) (i32.const 16) (i32.const 7))
      (memory.copy (i32.add (local.get $text) (i32.const 7)) (local.get $name) (local.get $length))
      (i32.store8 (i32.add (local.get $text) (i32.add (local.get $length) (i32.const 7))) (i32.const 33))
      (i32.store (i32.const 8) (local.get $text))
      (i32.store (i32.const 12) (local.get $size))
      (i32.const 8))

    ;; The host has read the greeting, so all memory is free again.
    (func (export "cabi_post_greet") (param i32)
      (global.set $top (i32.const 1024))))

  (core instance $guest (instantiate $impl))
  (func (export "greet") (param "name" string) (result string)
    (canon lift (core func $guest "greet")
      (memory (core memory $guest "memory"))
      (realloc (core func $guest "cabi_realloc"))
      (post-return (core func $guest "cabi_post_greet")))))
