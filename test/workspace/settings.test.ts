import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { DEFAULTS, readSettings } from '../../server/src/workspace/user-settings';

describe('settings of the server', () => {
  it('are the defaults when the client sends none', () => {
    for (const sent of [undefined, null, {}, { run: null }, 'off', 3]) assert.deepEqual(readSettings(sent), DEFAULTS);
  });

  it('are what the client sends', () => {
    const sent = {
      run: { when: 'onSave', delay: 50, timeLimit: 2 },
      inlayHints: { enabled: false, exits: false },
      codeLens: { enabled: false },
    };
    assert.deepEqual(readSettings(sent), {
      run: { when: 'onSave', delay: 50, timeLimit: 2000 },
      inlayHints: { enabled: false, exits: false },
      codeLens: { enabled: false },
    });
  });

  it('keep numbers within their bounds', () => {
    const { run } = readSettings({ run: { delay: -5, timeLimit: 1e9 } });
    assert.equal(run.delay, 0);
    assert.equal(run.timeLimit, 3_600_000);
  });

  it('are always usable, whatever the client sends', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (run, hints) => {
        const settings = readSettings({ run, inlayHints: hints, codeLens: run });
        assert.ok(['onType', 'onSave', 'manual'].includes(settings.run.when));
        assert.ok(settings.run.timeLimit > 0 && settings.run.delay >= 0);
        assert.equal(typeof settings.inlayHints.enabled, 'boolean');
      }),
    );
  });
});
