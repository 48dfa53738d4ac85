import { strict as assert } from 'node:assert';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { Allowed } from '../../server/src/workspace/allowed';
import { Files } from '../../server/src/workspace/files';
import { WorkerPool } from '../../server/src/workspace/pool';
import { Runs } from '../../server/src/workspace/runs';
import { Scripts } from '../../server/src/workspace/scripts';
import { MACHINE } from '../support/scripts';
import { FakeWorker } from './fake-worker';

const URI = 'file:///scenarios/a.mmu';

/** One document, a worker whose jobs are counted, and settings that the user's client gives later. */
function setUp(when: 'onSave' | 'onType') {
  const worker = new FakeWorker();
  const document = TextDocument.create(URI, 'mmu', 1, `${MACHINE}run guest under ept { user read 0x40_0000 }\n`);
  const files = new Files<string>(() => Promise.reject(new Error('there is no file')));
  const dumps = new Files<Uint8Array>(() => Promise.reject(new Error('there is no file')));
  const scripts = new Scripts((uri) => (uri === URI ? document : undefined), files, dumps, new Allowed(['file:///scenarios'], true));
  let known: () => void = () => undefined;
  const nothing = (): void => undefined;
  const runs = new Runs({
    ready: new Promise<void>((resolve) => (known = resolve)),
    scripts,
    pool: new WorkerPool({ size: 1, spawn: () => worker, later: nothing, lost: nothing }),
    log: (message) => assert.fail(message),
    later: (call) => (call(), nothing),
    settings: () => ({ when, delay: 0, timeLimit: 1000 }),
    now: () => 0,
    events: { started: nothing, checked: nothing, progress: nothing, ended: nothing, outdated: nothing, cancelled: nothing },
  });
  return { runs, known, jobs: () => worker.of('job').map(({ job }) => job.run !== null) };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('runs of a document', () => {
  it('of a text that is edited and saved before the settings are known, follow the save', async () => {
    const { runs, known, jobs } = setUp('onSave');
    runs.changed(URI, 'edit');
    runs.changed(URI, 'save');
    known();
    await settled();
    assert.deepEqual(jobs(), [true]);
  });

  it('that an edit has begun are not begun again by a save', async () => {
    const { runs, known, jobs } = setUp('onType');
    known();
    runs.changed(URI, 'edit');
    await settled();
    runs.changed(URI, 'save');
    await settled();
    assert.deepEqual(jobs(), [true]);
  });
});
