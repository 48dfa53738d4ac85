/** Programs that make no sense, on machines of every kind with a VM in a VM: none makes the engine throw, or go on for ever. */
import fc from 'fast-check';
import { NestedBench } from './nested-machines';
import { senselessAct, senselessMachine } from './senseless-programs';

describe('programs without sense for nested guests', () => {
  it('come to an end', function () {
    this.timeout(0);
    fc.assert(
      fc.property(senselessMachine, fc.array(senselessAct, { minLength: 5, maxLength: 20 }), (nested, acts) => {
        const bench = new NestedBench(nested);
        for (const each of acts) bench.machine.perform(each);
      }),
      { numRuns: 200 },
    );
  });
});
