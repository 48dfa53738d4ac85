/** What the VMM and the host's memory management do in a script. */
import { MachineParser } from './machine-parser';
import * as t from './tokens';
import type { Expression, HostAct, HostActs, HostArea } from './tree';
import { HOST_ACTS } from './words/structure';

const SLOT = t.reserved('slot');
const WRITE = t.reserved('write');
const AFTER_HOST = new Set(
  ['import', 'const', 'budget', 'vm', 'block', 'run', 'host', 'user', 'supervisor', 'read', 'expect'].map(t.reserved),
);
const WHAT = 'an act of the host, as delete or reclaim';

/** What tells host acts apart, without what they share. */
type HostActOnly = HostAct extends infer T ? (T extends HostAct ? Omit<T, 'kind' | 'expects' | 'range'> : never) : never;

export abstract class HostActParser extends MachineParser {
  protected hostActs(): HostActs {
    const start = this.take().startOffset;
    const opens = this.is(t.LCurly);
    const body = opens ? this.braces<HostAct>('host', () => this.hostAct(), AFTER_HOST) : null;
    const act = opens ? null : this.hostAct();
    return { kind: 'host-acts', act, body, range: this.since(start) };
  }

  private hostAct(): HostAct | null {
    const start = this.here();
    const act = this.act();
    return act && ({ kind: 'host-act', ...act, expects: this.expects(), range: this.since(start) } as HostAct);
  }

  private act(): HostActOnly | null {
    const token = this.need(WHAT, t.Word, WRITE);
    switch (token?.image) {
      case undefined:
        return null;
      case 'create':
        return this.create();
      case 'delete':
        return { act: 'delete', id: this.slotId() };
      case 'move':
      case 'resize':
        return this.change(token.image);
      case 'flags':
        return this.slotFlags();
      case 'get':
      case 'clear':
        return this.dirtyLog(token.image);
      case 'reclaim':
      case 'split':
      case 'collapse':
        return { act: token.image, area: this.area() };
      case 'protect':
        return this.protect();
      case 'write':
        return this.hostWrite();
      case 'zap':
        this.needWord('all');
        return { act: 'zap-all' };
      case 'nr_mmu_pages':
        return { act: 'nr-mmu-pages', pages: this.expression('a number of pages') };
    }
    this.unknown('unknown-word', 'act of the host', { text: token!.image, range: t.rangeOf(token!) }, Object.keys(HOST_ACTS));
    this.panic = true;
    return null;
  }

  private slotId(): Expression {
    this.needSign(SLOT);
    return this.expression('the id of a slot');
  }

  private create(): HostActOnly {
    if (this.is(SLOT)) return { act: 'create', slot: this.slot() };
    this.expectedSign('slot');
    return { act: 'create', slot: null };
  }

  private change(act: 'move' | 'resize'): HostActOnly {
    const id = this.slotId();
    this.needWord('to');
    const to = this.expression(act === 'move' ? 'a guest-physical address' : 'a size');
    return { act, id, to };
  }

  private slotFlags(): HostActOnly {
    const id = this.slotId();
    const flags = this.flags('slot');
    if (flags.length === 0) this.expected('log_dirty, readonly or none');
    return { act: 'flags', id, flags };
  }

  private dirtyLog(word: 'get' | 'clear'): HostActOnly {
    this.needWord('dirty');
    this.needWord('log');
    const id = this.slotId();
    if (word === 'get') return { act: 'get-dirty-log', id };
    const pages = this.clause('pages') && this.take() ? this.rangeExpression('page numbers, as `0 .. 63`') : null;
    return { act: 'clear-dirty-log', id, pages };
  }

  private protect(): HostActOnly {
    const area = this.area();
    const flags = this.flags('protect');
    if (flags.length === 0) this.expected('ro or rw');
    return { act: 'protect', area, flags };
  }

  private area(): HostArea {
    const start = this.here();
    const space = this.gotWord('hva') ? 'hva' : 'gpa';
    if (space === 'gpa') this.needWord('gpa');
    const area = this.rangeExpression();
    return { kind: 'host-area', space, area, range: this.since(Math.min(start, area.range.start)) };
  }

  private hostWrite(): HostActOnly {
    const area = this.area();
    this.needSign(t.Assign);
    return { act: 'write', area, value: this.expression() };
  }
}
