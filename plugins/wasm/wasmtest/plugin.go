package wasmtest

// Plugin returns a plugin that keeps input at 4096 and whose evaluate has code,
// which finds the address and the length of its input in locals 0 and 1 and may
// use locals 2 (i32) and 3 (i64). change, unless nil, has the last word.
func Plugin(code []byte, change func(*Module)) []byte {
	m := &Module{
		Memory: 2,
		Funcs: []Func{
			{Export: "twinrules_v1_alloc", Type: Type{[]byte{I32}, []byte{I32}}, Code: Const32(4096)},
			{Export: "twinrules_v1_evaluate", Type: Type{[]byte{I32, I32}, []byte{I64}}, Locals: []byte{I32, I64}, Code: code},
		},
	}
	if change != nil {
		change(m)
	}
	return m.Bytes()
}

// Answering returns a plugin that gives the same answer to every twin.
func Answering(answer string, change func(*Module)) []byte {
	const at = 1024
	code := Const64(at<<32 | int64(len(answer)))
	if len(answer) > 3<<10 {
		panic("an answer that reaches into the input")
	}
	return Plugin(code, func(m *Module) {
		m.Data = []Data{{At: at, Text: []byte(answer)}}
		if change != nil {
			change(m)
		}
	})
}
