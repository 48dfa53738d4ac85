import { strict as assert } from 'node:assert';
import { EventEmitter } from 'node:events';
import { openScript } from '../../server/src/api/language';
import { runInterruptibly } from '../../server/src/cli/interruptible';
import type { Io } from '../../server/src/cli/io';

const script = (count: string) =>
  openScript(`vm g {\n  slot 0 { gpa 0  size 16M }\n  vcpu { paging none }\n}\nrun g { read 0x1000 x ${count} }\n`, 'file:///a.mmu', {
    read: () => null,
  });

const said: string[] = [];
const io = { err: (text: string) => void said.push(text) } as Partial<Io> as Io;

describe('runs of a command', () => {
  beforeEach(() => void said.splice(0));

  it('go to their end when nobody interrupts', async () => {
    const signals = new EventEmitter();
    const { views, interrupted } = await runInterruptibly(script('10'), 60_000, io, signals);
    assert.deepEqual([interrupted, views[0].record.ended.how, said, signals.listenerCount('SIGINT')], [false, 'done', [], 0]);
  });

  it('keep what was run when the user interrupts', async () => {
    const signals = new EventEmitter();
    const runs = runInterruptibly(script('900_000'), 60_000, io, signals);
    signals.emit('SIGINT');
    const { views, interrupted } = await runs;
    assert.deepEqual([interrupted, views[0].record.ended.how], [true, 'cancelled']);
    assert.ok(views[0].record.length > 0);
    assert.match(said.join(''), /^mmu: interrupted/);
    // A second one is not for the runs: it ends the command.
    assert.equal(signals.listenerCount('SIGINT'), 0);
  });
});
