// Reads parquet files with hyparquet and compares schema, row groups, every value and the extents with FILE.json and
// FILE.payload. Usage: read_parquet.js FILE...
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'

function float16(bits) {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
  if (exponent === 31) return fraction ? NaN : sign * Infinity
  return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -14 * (fraction / 1024)
}

// How a value is read from payload, and how it stands in the schema.
const kinds = {
  uint8: { bytes: 1, physical: 'INT32', converted: 'UINT_8', read: (view, at) => view.getUint8(at), dictionary: true },
  uint16: { bytes: 2, physical: 'INT32', converted: 'UINT_16', read: (view, at) => view.getUint16(at, true), dictionary: true },
  uint32: { bytes: 4, physical: 'INT32', converted: 'UINT_32', read: (view, at) => view.getUint32(at, true) },
  uint64: { bytes: 8, physical: 'INT64', converted: 'UINT_64', read: (view, at) => view.getBigUint64(at, true) },
  int8: { bytes: 1, physical: 'INT32', converted: 'INT_8', read: (view, at) => view.getInt8(at), dictionary: true },
  int16: { bytes: 2, physical: 'INT32', converted: 'INT_16', read: (view, at) => view.getInt16(at, true), dictionary: true },
  int32: { bytes: 4, physical: 'INT32', converted: 'INT_32', read: (view, at) => view.getInt32(at, true) },
  int64: { bytes: 8, physical: 'INT64', converted: 'INT_64', read: (view, at) => view.getBigInt64(at, true) },
  float16: { bytes: 2, physical: 'FIXED_LEN_BYTE_ARRAY', logical: 'FLOAT16', read: (view, at) => float16(view.getUint16(at, true)) },
  float32: { bytes: 4, physical: 'FLOAT', read: (view, at) => view.getFloat32(at, true) },
  float64: { bytes: 8, physical: 'DOUBLE', read: (view, at) => view.getFloat64(at, true) },
  bool: { bytes: 1, physical: 'INT32', converted: 'UINT_8', read: (view, at) => view.getUint8(at) & 1, dictionary: true },
}

function checkSchema(metadata, columns) {
  const elements = [...metadata.schema]
  assert.equal(elements.shift().num_children, columns.length)
  for (const column of columns) {
    const kind = kinds[column.type]
    const top = elements.shift()
    assert.equal(top.name, column.name)
    assert.equal(top.repetition_type, 'REQUIRED')
    let value = top
    if (column.list) {
      assert.equal(top.converted_type, 'LIST')
      assert.equal(top.logical_type.type, 'LIST')
      const list = elements.shift()
      assert.deepEqual([list.name, list.repetition_type, list.num_children], ['list', 'REPEATED', 1])
      value = elements.shift()
      assert.deepEqual([value.name, value.repetition_type], ['element', 'REQUIRED'])
    }
    assert.equal(value.type, kind.physical, column.name)
    assert.equal(value.converted_type, kind.converted, column.name)
    const logical = kind.logical ?? (kind.converted && 'INTEGER')
    assert.equal(value.logical_type?.type, logical, column.name)
  }
  assert.equal(elements.length, 0)
}

// Values stand at the end of their chunk; indices of a dictionary come in eights.
function checkColumn(column, chunk, rows, payload) {
  const meta = chunk.meta_data
  const kind = kinds[column.type]
  const count = rows.length * column.elements
  assert.equal(Number(meta.num_values), count)
  assert.equal(meta.codec, 'UNCOMPRESSED')
  const stored = kind.dictionary ? Math.ceil(count / 8) * 8 : count
  let at = chunkBegin(chunk) + Number(meta.total_compressed_size) - stored * kind.bytes
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  for (const row of rows) {
    const values = column.list ? row[column.name] : [row[column.name]]
    assert.equal(values.length, column.elements)
    for (const value of values) {
      const expected = kind.read(view, at)
      if (!Object.is(value, expected)) assert.fail(`${column.name} at ${at}: ${value}, not ${expected}`)
      at += kind.bytes
    }
  }
}

function chunkBegin({ meta_data: { data_page_offset, dictionary_page_offset } }) {
  return Number(dictionary_page_offset ?? data_page_offset)
}

// Every byte of the columns to read lies in an extent, and whole groups are complete when their last one is there.
function checkExtents(metadata, columns, facts, bytes) {
  const [footer, ...spans] = facts.extents
  assert.equal(footer.offset + footer.bytes, bytes)
  assert.equal(footer.samples, 0)
  let next = 0
  for (const group of metadata.row_groups) {
    const inGroup = []
    do inGroup.push(spans[next]); while (spans[next++].samples === 0)
    assert.equal(inGroup.at(-1).samples, Number(group.num_rows))
    group.columns.forEach((chunk, index) => {
      if (facts.read_columns.length && !facts.read_columns.includes(columns[index].name)) return
      let at = chunkBegin(chunk)
      const end = at + Number(chunk.meta_data.total_compressed_size)
      for (const { offset, bytes: length } of inGroup) if (offset <= at && at < offset + length) at = offset + length
      assert.ok(at >= end, `${columns[index].name}: byte ${at} is in no extent`)
    })
  }
  assert.equal(next, spans.length)
}

async function check(path) {
  const facts = JSON.parse(readFileSync(`${path}.json`))
  const payload = readFileSync(`${path}.payload`)
  const columns = facts.columns.length
    ? facts.columns.map(column => ({ ...column, list: column.elements > 1 }))
    : [{ name: 'data', type: 'uint8', elements: facts.height * facts.width, list: true }]
  const file = await asyncBufferFromFile(path)
  const metadata = await parquetMetadataAsync(file)
  assert.equal(metadata.created_by, 'mlpstorage')
  assert.equal(Number(metadata.num_rows), facts.samples)
  checkSchema(metadata, columns)
  checkExtents(metadata, columns, facts, file.byteLength)
  let rowStart = 0
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows)
    assert.equal(rowEnd, Math.min(rowStart + facts.row_group_rows, facts.samples))
    const rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd })
    assert.equal(rows.length, rowEnd - rowStart)
    columns.forEach((column, index) => checkColumn(column, group.columns[index], rows, payload))
    rowStart = rowEnd
  }
  assert.equal(rowStart, facts.samples)
  console.log(`${path}: ${rowStart} rows`)
}

for (const path of process.argv.slice(2)) await check(path)
