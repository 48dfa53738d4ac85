/** What guests do: each statement to its act. */
import type { Act } from '../../engine/program';
import type { Access, Edit, Enter, Invalidate, MemoryWord, RegisterLoad } from '../syntax/tree';
import { lowerAccess } from './accesses';
import { lowerEdit } from './entries';
import { lowerEntry } from './hypervisor-acts';
import { lowerInvalidation } from './invalidations';
import { lowerRegisterLoad } from './register-loads';
import type { Frame, ScriptLowering } from './script';
import { readWord } from './vm-planner';

export function lowerAct(
  script: ScriptLowering,
  node: Access | Edit | MemoryWord | RegisterLoad | Invalidate | Enter,
  frame: Frame,
  out: Act[],
): void {
  switch (node.kind) {
    case 'access':
      return lowerAccess(script, node, frame, out);
    case 'edit':
      return lowerEdit(script, node, frame, out);
    case 'memory-word':
      return store(script, node, frame, out);
    case 'register-load':
      return lowerRegisterLoad(script, node, frame, out);
    case 'invalidate':
      return lowerInvalidation(script, node, frame, out);
    case 'enter':
      return lowerEntry(script, node, frame, out);
  }
}

function store(script: ScriptLowering, node: MemoryWord, frame: Frame, out: Act[]): void {
  const word = readWord(script.context, node, frame.env);
  if (word) script.emit({ do: 'store', origin: script.statements.of(node), by: script.performer(frame), ...word }, out, node, frame.env);
}
