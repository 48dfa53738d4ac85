/** The way of an address at a position: of the address that stands there, or of one that the user gives. */
import type { Position } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import { readNumber } from '../language/syntax/numbers';
import type { TranslationView } from '../protocol/translation';
import { positionAtLine } from '../views/position-at-line';
import { translationMarkdown } from '../views/translation-text';
import type { RunView } from '../views/view';
import { translate } from '../views/way/way';
import type { Viewpoint } from '../views/way/way';
import { accessTo, addressAt, addressValue, viewpointOf, viewpointOfStatement } from './addresses';

/**
 * @param address as the user writes it: a number or a constant's name, after `gpa` for a guest-physical one; null: what
 *   stands at the position
 * @returns null when there is no address, or the run does not come past the position
 */
export function translateAt(
  analysis: Analysis,
  view: RunView,
  position: Position,
  address: string | null,
): { markdown: string; view: TranslationView } | null {
  const offset = analysis.offsetAt(position);
  const asked = address === null ? addressThere(analysis, view, offset) : addressGiven(analysis, view, offset, position.line, address);
  if (!asked) return null;
  const translation = translate(view, asked.viewpoint, asked.value, asked.space, asked.access);
  return { markdown: translationMarkdown(translation), view: translation };
}

interface Asked {
  readonly viewpoint: Viewpoint;
  readonly value: bigint;
  readonly space: 'gva' | 'gpa';
  readonly access: number | null;
}

function addressThere(analysis: Analysis, view: RunView, offset: number): Asked | null {
  const at = addressAt(analysis, offset);
  if (!at || (at.space !== 'gva' && at.space !== 'gpa')) return null;
  const value = addressValue(analysis, at, offset, [view]);
  const viewpoint = viewpointOf(analysis, at, offset, view);
  return value === null || !viewpoint ? null : { viewpoint, value, space: at.space, access: accessTo(analysis, at, offset, view, value) };
}

function addressGiven(analysis: Analysis, view: RunView, offset: number, line: number, address: string): Asked | null {
  const [, gpa, rest] = /^\s*(gpa\s+)?(.*?)\s*$/.exec(address) ?? [];
  const read = readNumber(rest ?? '');
  const value = 'value' in read ? read.value : constant(analysis, offset, rest ?? '');
  if (value === null) return null;
  const origin = analysis.originAt(offset) ?? analysis.originBefore(offset);
  const viewpoint = (origin === null ? null : viewpointOfStatement(view, origin)) ?? {
    position: positionAtLine(view, analysis.uri, line),
    vm: 0,
    vcpu: 0,
  };
  return { viewpoint, value, space: gpa ? 'gpa' : 'gva', access: null };
}

/** Value of a constant that can be used at an offset. */
function constant(analysis: Analysis, offset: number, name: string): bigint | null {
  const named = analysis.namesAt(offset).find((each) => each.name === name && each.of === 'const');
  const parsed = named && (named.uri === analysis.uri ? analysis.parsed : analysis.imports.get(named.uri));
  const holder = parsed?.tree.items.find((item) => item.kind === 'const' && item.name === named!.definition);
  const value = holder?.kind === 'const' ? analysis.valueOf(holder.value) : null;
  return value === null ? null : BigInt.asUintN(64, value);
}
