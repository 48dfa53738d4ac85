import { strict as assert } from 'node:assert';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { gunzipped } from '../../server/src/node/trace-source';

async function unpackedOf(packed: Uint8Array, harmless: number): Promise<number> {
  let bytes = 0;
  for await (const piece of gunzipped(Readable.from([packed]), new AbortController().signal, harmless)) bytes += piece.length;
  return bytes;
}

describe('what is packed', () => {
  it('is unpacked, up to what only a bomb unpacks to', async () => {
    const zeros = gzipSync(new Uint8Array(1 << 24));
    assert.equal(await unpackedOf(zeros, 1 << 25), 1 << 24);
    await assert.rejects(unpackedOf(zeros, 1 << 20), /unpacks to more than 900 times its size/);
    const text = gzipSync('  a-1 [000] 1.000001: kvm_entry: vcpu 0, rip 0x10\n'.repeat(5000));
    assert.equal(await unpackedOf(text, 0), 5000 * 50);
  });
});
