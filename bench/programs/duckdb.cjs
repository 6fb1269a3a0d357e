// node duckdb.cjs PACK.sql FLEET THREADS: typed read_json, the rules as SQL, one
// query; decides only. Needs the package @duckdb/node-api.
const fs = require('fs')
const { DuckDBInstance } = require('@duckdb/node-api')

async function main([pack, fleet, threads]) {
  const [macro, query] = fs.readFileSync(pack, 'utf8').split('\n----\n')
  const instance = await DuckDBInstance.create(':memory:', { threads })
  const connection = await instance.connect()
  await connection.run(macro)
  const reader = await connection.runAndReadAll(query.replace('FILE', fleet.replaceAll("'", "''")))
  const [devices, ...matched] = reader.getRows()[0].map(Number)
  console.log(JSON.stringify({ devices, matched, written: 0 }))
}
main(process.argv.slice(2))
