import Ajv from 'ajv';
import { strict as assert } from 'node:assert';
import { EventEmitter } from 'node:events';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { COMMANDS, parseCommand } from '../../server/src/cli/commands';
import { explainFile } from '../../server/src/cli/explain-command';
import type { Io } from '../../server/src/cli/io';
import { mmu, ROOT, scratch, write } from './mmu';

const sample = (name: string): Buffer => readFileSync(join(ROOT, 'samples/traces', name));
const LOOP = sample('stale-fault-loop.trace');
const schema = JSON.parse(readFileSync(join(ROOT, 'schema/explain.schema.json'), 'utf8')) as object;

describe('mmu explain', () => {
  it('explains a file, standard input, and either packed', () => {
    const told = readFileSync(join(ROOT, 'samples/traces/stale-fault-loop.txt'), 'utf8');
    const named = (name: string): string => told.replace('stale-fault-loop.trace', name);
    assert.deepEqual(mmu(['explain', write('loop.trace', LOOP)]), { status: 0, out: named('loop.trace'), err: '' });
    assert.equal(mmu(['explain', write('loop.gz', gzipSync(LOOP))]).out, named('loop.gz'));
    assert.equal(mmu(['explain', '-'], LOOP.toString()).out, named('<stdin>'));
  });

  it('prints JSON by its schema', () => {
    const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);
    for (const name of ['stale-fault-loop', 'table-writes', 'during-delivery', 'mmio', 'asked-again', 'host-unmaps']) {
      const { out, status } = mmu(['explain', '--format', 'json', write(`${name}.trace`, sample(`${name}.trace`))]);
      assert.equal(status, 0);
      assert.equal(validate(JSON.parse(out)), true, JSON.stringify(validate.errors));
    }
  });

  it('lists as much as it is asked for', () => {
    const file = write('loop.trace', LOOP);
    assert.doesNotMatch(mmu(['explain', '--brief', file]).out, /^Episodes/m);
    assert.match(mmu(['explain', '--episodes', '2', file]).out, /1 folded episode left out/);
    const some = JSON.parse(mmu(['explain', '--format', 'json', '--lines', '7-20', file]).out) as { episodes: { lines: object }[] };
    assert.deepEqual(
      some.episodes.map(({ lines }) => lines),
      [{ from: 7, to: 26 }],
    );
    assert.deepEqual(mmu(['explain', '--lines', 'all', file]), {
      status: 2,
      out: '',
      err: '--lines takes two numbers, as 1000-2000, not all\n',
    });
  });

  it('says of what is no trace what it is', () => {
    const said = (name: string, content: string | Uint8Array): unknown => {
      const { status, err } = mmu(['explain', write(name, content)]);
      return [status, err];
    };
    assert.deepEqual(said('a.bin', new Uint8Array(100)), [2, 'a.bin: is a binary file, and no trace that is known\n']);
    assert.deepEqual(said('perf.data', Buffer.from('PERFILE2\0\0')), [
      2,
      'perf.data: is a perf.data: explain what `perf script` prints of it\n',
    ]);
    assert.deepEqual(said('empty', ''), [2, 'empty: is empty\n']);
    assert.deepEqual(said('letter', 'Dear list,\nmy guest hangs.\n'), [
      2,
      'letter: is no trace that is known: none of its 2 lines is an event\n',
    ]);
    assert.deepEqual(said('other', '  a-1 [000] 1.000001: sched_switch: a ==> b\n'), [
      2,
      'other: no event of KVM in 1 lines; others are, as sched_switch (line 1)\n',
    ]);
    assert.equal(mmu(['explain', 'no-such-file']).err, 'no-such-file: no such file or directory\n');
    assert.equal(mmu(['explain', '/dev/null']).err, '/dev/null: is a device\n');
  });

  it('explains what could be read of a damaged file, and says where it ends', () => {
    const many = Buffer.concat(Array.from({ length: 2000 }, () => LOOP));
    const packed = gzipSync(many);
    const { status, out, err } = mmu(['explain', '--brief', write('cut.gz', packed.subarray(0, packed.length - 500))]);
    assert.equal(status, 1);
    assert.match(err, /^cut\.gz:\d+: warning: cannot be unpacked after \d+ bytes: it is damaged or cut off$/m);
    assert.match(out, /^cut\.gz: \d+ lines, not read to its end$/m);
    assert.match(out, /retry-for-ever/);
    assert.match(mmu(['explain', write('no.gz', Buffer.from([0x1f, 0x8b, 1, 2, 3, 4]))]).err, /^no\.gz: cannot be unpacked/);
  });

  it('has a trace.dat printed by trace-cmd, when it is on the path', () => {
    const file = write('trace.dat', Buffer.from('\x17\x08\x44tracing7\0'));
    const { status, err } = mmu(['explain', file], '', { PATH: '' });
    assert.equal(status, 2);
    assert.match(err, /^trace\.dat: is a trace\.dat, which trace-cmd prints, and trace-cmd is not on the path/);
    write('loop.trace', LOOP);
    const fake = (script: string): void => chmodSync(join(scratch(), write('bin/trace-cmd', `#!/bin/sh\n${script}\n`)), 0o755);
    const path = { PATH: `${join(scratch(), 'bin')}:${process.env.PATH}` };
    fake(`[ "$1 $2" = "report -i" ] && exec cat ${join(scratch(), 'loop.trace')}`);
    assert.match(mmu(['explain', file], '', path).out, /retry-for-ever/);
    fake('echo "  no such thing" >&2; exit 3');
    assert.deepEqual(mmu(['explain', file], '', path), { status: 2, out: '', err: 'trace.dat: trace-cmd report fails: no such thing\n' });
  });

  it('explains what was read until it is interrupted', async () => {
    const signals = new EventEmitter();
    async function* coming(): AsyncGenerator<Uint8Array> {
      yield LOOP;
      // What was read is known by now: more is asked for, and does not come.
      signals.emit('SIGINT');
      await new Promise(() => undefined);
    }
    let [out, err] = ['', ''];
    const io: Io = {
      out: (text) => (out += text),
      err: (text) => (err += text),
      stdin: () => new Uint8Array(0),
      input: () => Readable.from(coming()),
      progress: () => undefined,
      colors: false,
      width: 0,
    };
    const args = parseCommand(
      COMMANDS.find(({ name }) => name === 'explain')!,
      ['--brief', '-'],
    );
    assert.equal(await explainFile(args, io, signals), 130);
    assert.equal(err, 'mmu: interrupted: what was read until then follows\n');
    assert.match(out, /^<stdin>: 32 lines, interrupted there$/m);
    assert.match(out, /retry-for-ever/);
    assert.equal(signals.listenerCount('SIGINT'), 0);
  });
});

describe('mmu run', () => {
  it('says that a trace is one', () => {
    assert.deepEqual(mmu(['run', write('loop.trace', LOOP)]), {
      status: 2,
      out: '',
      err: 'loop.trace: is a recorded trace, not a scenario; see mmu explain\n',
    });
    assert.equal(mmu(['run', write('loop.gz', gzipSync(LOOP))]).err, 'loop.gz: is packed by gzip, not a scenario; see mmu explain\n');
    assert.equal(
      mmu(['check', write('trace.dat', Buffer.from('\x17\x08\x44tracing7\0'))]).err,
      'trace.dat: is a recorded trace, not a scenario; see mmu explain\n',
    );
  });
});
