/** How much completion offers, and how much of it in vain: at some of the places of all samples and documented examples. */
import { strict as assert } from 'node:assert';
import { measure, share, type Measured } from '../support/completion-places';
import { documented, samples } from '../support/examples';

describe('completion at the places of samples and documented examples', function () {
  this.timeout(120_000);
  const scenarios = [...samples(), ...documented()];

  /** `npm run completion` looks at all places. */
  function check({ places, offered, items, refused, missing, wrong }: Measured): void {
    const figures = `the word that follows is offered: ${share(offered, places)}; offered and refused: ${share(refused, items)}`;
    console.log(`    ${figures}`);
    assert.ok(places > 100 && items > 1000, figures);
    assert.ok(offered >= 0.99 * places, [figures, ...missing].join('\n'));
    assert.ok(refused <= 0.02 * items, [figures, ...wrong].join('\n'));
  }

  it('offers the word that follows, and little that the parser refuses', () => check(measure(scenarios, 29)));
  it('does so while the line is being written', () => check(measure(scenarios, 43, true)));
});
