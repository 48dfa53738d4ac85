/** Hover: an address with its whole way at that point of the script, a name with its definition, a word with its meaning. */
import { MarkupKind } from 'vscode-languageserver-types';
import type { Hover } from 'vscode-languageserver-types';
import type { PagingMode } from '../engine/program';
import type { Analysis } from '../language/analysis';
import { pathAt } from '../language/syntax/tree';
import type { Range } from '../language/syntax/tree';
import { EXPLAIN_COMMAND, SHOW_TRACE_COMMAND } from '../protocol/messages';
import { cameToText } from '../views/came-to';
import type { RunView } from '../views/view';
import { translate } from '../views/way/way';
import { accessTo, addressAt, addressValue, executionOf, viewpointOf } from './addresses';
import type { AddressAt } from './addresses';
import { hvaNamedHere, vmNamedHere, wordHere } from './here-text';
import { MOST_LINES } from './hover-lines';
import { nameText, slotText } from './name-text';
import { numberText } from './numbers';
import { innermost, kindsOf, lspRange } from './places';
import { longText, outcomesByKind } from './run-text';
import { waysText } from './ways-text';
import type { KindWay } from './ways-text';
import { wordAt } from './words';

interface Said {
  readonly range: Range;
  readonly text: string;
}

/**
 * @param views of the runs of this version; empty when there are none (yet)
 * @param links whether the client carries out the commands that a hover links to
 */
export function hover(analysis: Analysis, views: readonly RunView[], offset: number, links = false): Hover | null {
  const { tree } = analysis.parsed;
  if (tree.comments.some(({ range }) => range.start < offset && offset < range.end)) return null;
  const said = [
    slotHover(analysis, offset),
    nameHover(analysis, views, offset),
    addressHover(analysis, views, offset, links) ?? wordHover(analysis, views, offset),
  ].filter((each) => each !== null);
  if (said.length === 0) return null;
  const range = said[0].range;
  return {
    contents: { kind: MarkupKind.Markdown, value: said.map(({ text }) => text).join('\n\n---\n\n') },
    range: lspRange(analysis, range),
  };
}

function nameHover(analysis: Analysis, views: readonly RunView[], offset: number): Said | null {
  const node = pathAt(analysis.parsed.tree, offset).at(-1);
  if (node?.kind !== 'definition' && node?.kind !== 'reference') return null;
  const target = node.kind === 'definition' ? { uri: analysis.uri, definition: node } : analysis.definitionOf(node);
  const text = target && nameText(analysis, target);
  if (!text) return null;
  const here = target.definition.of === 'vm' ? vmNamedHere(analysis, views, offset, node.text) : '';
  return { range: node.range, text: here ? `${text}\n\n${here}` : text };
}

/** On the head of a slot: where it lies. */
function slotHover(analysis: Analysis, offset: number): Said | null {
  const slot = innermost(pathAt(analysis.parsed.tree, offset), 'slot');
  if (!slot?.body || offset >= slot.body.range.start) return null;
  const text = slotText(analysis, slot);
  return text ? { range: { start: slot.range.start, end: slot.id.range.end }, text } : null;
}

function wordHover(analysis: Analysis, views: readonly RunView[], offset: number): Said | null {
  const word = wordAt(analysis, offset);
  if (!word) return null;
  const origin = word.beginsStatement ? analysis.originAt(offset) : null;
  const outcomes = origin === null ? [] : outcomesByKind(views, origin);
  const came = outcomes.length > 0 ? `\n\nHere: ${longText(outcomes)}` : '';
  const here = wordHere(analysis, views, offset, word.word);
  return { range: word.range, text: [`${word.text}${came}`, here].filter(Boolean).join('\n\n') };
}

function addressHover(analysis: Analysis, views: readonly RunView[], offset: number, links: boolean): Said | null {
  const at = addressAt(analysis, offset);
  if (!at) return null;
  const value = addressValue(analysis, at, offset, views);
  if (value === null) return partHover(analysis, offset);
  const { range } = at.expression;
  const ways = at.space === 'gva' || at.space === 'gpa' ? waysOf(analysis, views, at, offset, value, at.space) : [];
  if (ways.length === 0) {
    const here = at.space === 'hva' ? hvaNamedHere(analysis, views, offset, value) : '';
    const number = numberText(value, at.space, pagingMode(analysis, views, at, offset)).join('  \n');
    return { range, text: here ? `${number}\n\n${here}` : number };
  }
  const further = links ? linksOf(analysis, ways, offset) : '';
  const text = waysText(ways, MOST_LINES - (further ? 1 : 0));
  return { range, text: further ? `${text}\n\n${further}` : text };
}

/** To the panel at this statement, and to what explains the outcome. */
function linksOf(analysis: Analysis, ways: readonly ShownWay[], offset: number): string {
  const [{ run, way }] = ways;
  const { line } = analysis.locate(analysis.uri, { start: offset, end: offset }).range.start;
  const { section } = way.end.section === null && way.now !== null ? way.now : way.end;
  const trace = commandLink('Show in the trace', SHOW_TRACE_COMMAND, [analysis.uri, run, line]);
  return section === null ? trace : `${trace} · ${commandLink('What that means', EXPLAIN_COMMAND, [section])}`;
}

function commandLink(text: string, command: string, args: readonly unknown[]): string {
  return `[${text}](command:${command}?${encodeURIComponent(JSON.stringify(args)).replace(/[()']/g, (each) => `%${each.charCodeAt(0).toString(16)}`)})`;
}

/** A number that is a part of what has no value of its own, as it depends on a loop. */
function partHover(analysis: Analysis, offset: number): Said | null {
  const node = pathAt(analysis.parsed.tree, offset).at(-1);
  if (node?.kind !== 'number' || node.value === null) return null;
  return { range: node.range, text: numberText(node.value, null, 'none').join('  \n') };
}

interface ShownWay extends KindWay {
  /** Index of the run. */
  readonly run: number;
}

/** The way of an address in each run that comes past it. */
function waysOf(
  analysis: Analysis,
  views: readonly RunView[],
  at: AddressAt,
  offset: number,
  value: bigint,
  space: 'gva' | 'gpa',
): ShownWay[] {
  return views.flatMap((view, run) => {
    const viewpoint = viewpointOf(analysis, at, offset, view);
    if (!viewpoint) return [];
    const origin = analysis.originAt(offset);
    const outcome = origin === null ? null : executionOf(view, origin);
    const access = accessTo(analysis, at, offset, view, value);
    const way = (position: number) => translate(view, { ...viewpoint, position }, value, space, access);
    return {
      run,
      kinds: kindsOf(view.record.program),
      way: way(viewpoint.position),
      after: outcome && way(outcome.to),
      cameTo: outcome && access !== null ? cameToText(view, outcome) : null,
    };
  });
}

/** Paging mode of the vCPU that the address belongs to. */
function pagingMode(analysis: Analysis, views: readonly RunView[], at: AddressAt, offset: number): PagingMode {
  for (const view of views) {
    const viewpoint = viewpointOf(analysis, at, offset, view);
    const paging = viewpoint && view.record.program.machine.vms[viewpoint.vm]?.vcpus[viewpoint.vcpu]?.paging;
    if (paging) return paging;
  }
  return '4-level';
}
