/** The recorded L1 by the extension that it uses. */
import type { Act } from '../../../server/src/engine/program';
import type { Result } from '../../../server/src/engine/result';
import type { RecordedL1 } from './l1';
import type { NestedSetup } from './setup';
import { SvmL1 } from './svm-l1';
import { VmxL1 } from './vmx-l1';

export function recordedL1(setup: NestedSetup, perform: (act: Act) => Result): RecordedL1 {
  const { extension } = setup;
  return extension.isa === 'svm' ? new SvmL1(setup, extension, perform) : new VmxL1(setup, extension, perform);
}
