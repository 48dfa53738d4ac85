/** The next step of a kind, or the one before: what keys of the panel go to. */
import { eventAtRow } from '../engine/journal/attribution';
import { isChange } from '../engine/journal/state';
import { stepKind } from '../events/describe';
import { kindAt } from '../events/fields';
import type { StepGoal } from '../protocol/messages';
import type { RunView } from './view';

/** Steps looked at in one go. */
const SLICE = 5_000;

/** null: there is none. @param direction 1: forwards, -1: backwards */
export function* nextStep(view: RunView, from: number, goal: StepGoal, direction: 1 | -1): Generator<void, number | null> {
  const { length } = view.steps;
  for (let step = from + direction, looked = 1; step >= 0 && step < length; step += direction, looked++) {
    if (is(view, step, goal)) return step;
    if (looked % SLICE === 0) yield;
  }
  return null;
}

function is(view: RunView, step: number, goal: StepGoal): boolean {
  return goal === 'change' ? changes(view, step) : stepKind(kindAt(view.record, eventAtRow(view.record, view.steps.rowOf(step)))) === goal;
}

/** The step changes something. */
export function changes({ record, steps }: RunView, step: number): boolean {
  const end = steps.rowOf(step + 1);
  for (let row = steps.rowOf(step) + 1; row < end; row++) if (isChange(record.words, row)) return true;
  return false;
}
