;; battery finds devices whose battery is low, as the samples in other languages
;; do, with what fits by hand: all there is to the agreement is to be seen.
;;
;; The manifest declares to read one path only, so that the host always writes
;;
;;   {"now":1772366400000,"twin":{"reported":{"battery":{"pct":11}}}}
;;
;; and "pct": stands at most once, for no text of a twin comes before it. Anything
;; that reads more wants a reader; see the other languages.
;;
;;   wat2wasm -o battery.wasm battery.wat
(module
  (memory (export "memory") 1) ;; 64 KiB: the fewer, the cheaper is a call
  (global $low (mut f64) (f64.const 0))
  (global $behind (mut i32) (i32.const 0)) ;; the place after what was read last

  (data (i32.const 0) "\"pct\":")
  (data (i32.const 8) "\"low\":")
  (data (i32.const 16) "{\"error\":{\"message\":\"low is not a number\"}}")
  (data (i32.const 64) "{\"error\":{\"message\":\"the charge is not a number\"}}")
  (data (i32.const 128) "},\"patch\":{\"tags\":{\"power\":\"saver\"}}}")
  (data (i32.const 1024) "{\"match\":true,\"facts\":{\"pct\":")

  ;; Input stands at 4096, where there is room for 32 KiB of it.
  (func (export "twinrules_v1_alloc") (param $size i32) (result i32)
    (select (i32.const 4096) (i32.const 0) (i32.le_u (local.get $size) (i32.const 32768))))

  (func (export "twinrules_v1_init") (param $at i32) (param $n i32) (result i64)
    (local $end i32)
    (local.set $end (i32.add (local.get $at) (local.get $n)))
    (global.set $low (call $number (call $find (i32.const 8) (local.get $at) (local.get $end)) (local.get $end)))
    (if (result i64) (f64.eq (global.get $low) (global.get $low)) ;; NaN equals nothing
      (then (i64.const 0))
      (else (call $place (i32.const 16) (i32.const 43)))))

  (func (export "twinrules_v1_evaluate") (param $at i32) (param $n i32) (result i64)
    (local $end i32) (local $value i32) (local $percent f64) (local $length i32)
    (local.set $end (i32.add (local.get $at) (local.get $n)))
    (local.set $value (call $find (i32.const 0) (local.get $at) (local.get $end)))
    (if (i32.eqz (local.get $value)) (then (return (i64.const 0))))
    (local.set $percent (call $number (local.get $value) (local.get $end)))
    (if (f64.ne (local.get $percent) (local.get $percent))
      (then (return (call $place (i32.const 64) (i32.const 50)))))
    (if (f64.ge (local.get $percent) (global.get $low)) (then (return (i64.const 0))))
    ;; the head stands before it; the value, as it is spelled, and the tail follow
    (local.set $length (i32.sub (global.get $behind) (local.get $value)))
    (memory.copy (i32.const 1053) (local.get $value) (local.get $length))
    (memory.copy (i32.add (i32.const 1053) (local.get $length)) (i32.const 128) (i32.const 37))
    (call $place (i32.const 1024) (i32.add (i32.const 66) (local.get $length))))

  ;; place packs an address and a length as the host takes them.
  (func $place (param $at i32) (param $n i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32)) (i64.extend_i32_u (local.get $n))))

  ;; find returns the place behind the six bytes at $key, or 0.
  (func $find (param $key i32) (param $at i32) (param $end i32) (result i32)
    (block $none
      (loop $next
        (br_if $none (i32.gt_u (i32.add (local.get $at) (i32.const 6)) (local.get $end)))
        (if (i32.and
              (i32.eq (i32.load align=1 (local.get $at)) (i32.load align=1 (local.get $key)))
              (i32.eq (i32.load16_u offset=4 align=1 (local.get $at)) (i32.load16_u offset=4 align=1 (local.get $key))))
          (then (return (i32.add (local.get $at) (i32.const 6)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  ;; number reads a number without an exponent, and returns NaN for anything else.
  ;; Digits go into one sum, which is divided once, so that the result is exact.
  (func $number (param $at i32) (param $end i32) (result f64)
    (local $c i32) (local $sum f64) (local $unit f64) (local $sign f64) (local $digits i32) (local $point i32)
    (local.set $unit (f64.const 1))
    (local.set $sign (f64.const 1))
    (if (i32.eqz (local.get $at)) (then (return (f64.const nan))))
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 45))
      (then
        (local.set $sign (f64.const -1))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $c (i32.load8_u (local.get $at)))
        (if (i32.eq (local.get $c) (i32.const 46))
          (then (local.set $point (i32.const 1)))
          (else
            (local.set $c (i32.sub (local.get $c) (i32.const 48)))
            (br_if $done (i32.gt_u (local.get $c) (i32.const 9)))
            (local.set $digits (i32.add (local.get $digits) (i32.const 1)))
            (local.set $sum (f64.add (f64.mul (local.get $sum) (f64.const 10)) (f64.convert_i32_u (local.get $c))))
            (if (local.get $point) (then (local.set $unit (f64.mul (local.get $unit) (f64.const 10)))))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (global.set $behind (local.get $at))
    ;; what follows is a comma or a closing brace, or it was not a number
    (local.set $c (i32.load8_u (local.get $at)))
    (if (i32.or (i32.eqz (local.get $digits)) (i32.and (i32.ne (local.get $c) (i32.const 125)) (i32.ne (local.get $c) (i32.const 44))))
      (then (return (f64.const nan))))
    (f64.mul (local.get $sign) (f64.div (local.get $sum) (local.get $unit)))))
