;; Two questions about a whole number. Both trap for 0: `factor` divides by it, `steps` would never reach 1.
(module
  ;; The smallest factor above 1; the number itself where it is prime.
  (func (export "factor") (param $n i64) (result i64)
    (local $by i64)
    (drop (i64.rem_u (i64.const 1) (local.get $n)))
    (local.set $by (i64.const 2))
    (loop $next
      (if (i64.gt_u (i64.mul (local.get $by) (local.get $by)) (local.get $n)) (then (return (local.get $n))))
      (if (i64.eqz (i64.rem_u (local.get $n) (local.get $by))) (then (return (local.get $by))))
      (local.set $by (i64.add (local.get $by) (i64.const 1)))
      (br $next))
    (unreachable))

  ;; How often it is halved, or tripled and one added, until it is 1.
  (func (export "steps") (param $n i64) (result i64)
    (local $count i64)
    (if (i64.eqz (local.get $n)) (then (unreachable)))
    (loop $next
      (if (i64.eq (local.get $n) (i64.const 1)) (then (return (local.get $count))))
      (local.set $n
        (if (result i64) (i64.eqz (i64.and (local.get $n) (i64.const 1)))
          (then (i64.shr_u (local.get $n) (i64.const 1)))
          (else (i64.add (i64.mul (local.get $n) (i64.const 3)) (i64.const 1)))))
      (local.set $count (i64.add (local.get $count) (i64.const 1)))
      (br $next))
    (unreachable)))
