// node node.cjs PACK.cjs FLEET: JSON.parse for each line, the rules compiled by V8;
// decides only.
const fs = require('fs'), path = require('path')
const { hits, n } = require(path.resolve(process.argv[2]))

const matched = new Array(n).fill(0), held = []
let devices = 0
function line(text) {
  const t = JSON.parse(text)
  if (t.deviceId === undefined || t.moduleId !== undefined) return
  devices++
  held.length = 0
  hits(t, held)
  for (const i of held) matched[i]++
}

const file = fs.openSync(process.argv[3], 'r'), buffer = Buffer.allocUnsafe(1 << 20)
let rest = Buffer.alloc(0)
for (;;) {
  const got = fs.readSync(file, buffer, 0, buffer.length, null)
  if (got === 0) break
  const block = Buffer.concat([rest, buffer.subarray(0, got)])
  const end = block.lastIndexOf(10) + 1
  rest = Buffer.from(block.subarray(end))
  if (end === 0) continue
  for (const text of block.toString('utf8', 0, end - 1).split('\n')) line(text)
}
if (rest.length > 0) line(rest.toString('utf8'))
console.log(JSON.stringify({ devices, matched, written: 0 }))
