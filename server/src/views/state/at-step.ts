/** The state after a step of a run, as the panel and other clients ask for it; null for a step that the run has not. */
import type { MemoryMap, StateNodes, StateOrigin } from '../../protocol/state';
import type { RunView } from '../view';
import { memoryMaps } from './memory-map';
import { stateOrigin } from './origin';
import { stateNodes, stretchOf } from './tree';

export function stateAt(view: RunView, step: number, id: string, from: number, count: number): StateNodes | null {
  const stretch = stretchOf(view, step);
  return stretch && stateNodes(view, stretch, id, from, count);
}

export function originAt(view: RunView, step: number, id: string): StateOrigin | null {
  const stretch = stretchOf(view, step);
  return stretch && stateOrigin(view, stretch, id);
}

export function memoryAt(view: RunView, step: number): MemoryMap[] | null {
  const stretch = stretchOf(view, step);
  return stretch && memoryMaps(view.machine(stretch.to));
}
