/** Entries that a processor would not take, and addresses behind which there is nothing. */
import type { HostFacts } from '../../machine/host';
import { eptFormat, LEAF, nptFormat, pagingFormat } from '../../../engine/x86/formats';
import type { Format } from '../../../engine/x86/formats';
import { show } from '../../semantics/values';
import type { Context } from '../context';
import type { VcpuPlan } from '../vm-plan';
import type { Area } from './allocator';
import { LARGE, presentMask } from './flags';
import type { Shape } from './format';
import type { TablesItems } from './items';

/** Reserved bits in entries (§2.5, §3.3): allowed, since that can be what a scenario is about, but said. */
export function checkEntries(
  context: Context,
  items: TablesItems,
  shape: Shape,
  host: Omit<HostFacts, 'vendor'>,
  vcpus: readonly VcpuPlan[],
): void {
  const format = formatOf(shape, host, vcpus);
  for (const { node, env, level, value } of items.raws) {
    const reserved = reservedBits(format, shape, level, value);
    if (reserved !== 0n)
      context.warn(
        env,
        node.value,
        'reserved-bits',
        `bits ${show(reserved)} are reserved in this entry of level ${level}: ${consequence(shape)}`,
      );
    if (malformed(format, value))
      context.warn(env, node.value, 'reserved-bits', `these rights are malformed in EPT: ${consequence(shape)}`);
  }
  for (const { node, env, level, entry } of items.mappings) {
    const reserved = reservedBits(format, shape, level, entry);
    if (reserved !== 0n)
      context.warn(
        env,
        node,
        'reserved-bits',
        `bits ${show(reserved)} are reserved in these entries of level ${level}: ${consequence(shape)}`,
      );
    if (malformed(format, entry)) context.warn(env, node, 'reserved-bits', `these rights are malformed in EPT: ${consequence(shape)}`);
  }
}

function consequence(shape: Shape): string {
  return shape.name === 'ept' ? 'an access ends in an EPT misconfiguration' : 'an access ends in #PF with RSVD';
}

function formatOf(shape: Shape, host: Omit<HostFacts, 'vendor'>, vcpus: readonly VcpuPlan[]): Format {
  const { features, maxPhyAddr } = host;
  if (shape.name === 'ept') {
    return eptFormat({
      levels: 4,
      accessedDirty: features.eptAd,
      executeOnly: features.eptExecuteOnly,
      page1G: features.ept1G,
      maxPhyAddr,
    });
  }
  const nxe = vcpus.length === 0 || vcpus.some(({ config }) => config.efer.nxe);
  if (shape.name === 'npt') return nptFormat({ mode: '4-level', nxe, page1G: features.page1G, maxPhyAddr });
  const pse = vcpus.some(({ config }) => config.cr4.pse);
  return pagingFormat({ mode: shape.name, nxe, pse, pse36: features.pse36, page1G: features.page1G, maxPhyAddr, amd: false });
}

function reservedBits(format: Format, shape: Shape, level: number, entry: bigint): bigint {
  if ((entry & presentMask(shape.name)) === 0n) return 0n;
  const leaf = level === 1 || ((format.large[level] ?? 0) !== 0 && (entry & LARGE) !== 0n);
  const at = leaf ? level + LEAF : level;
  const mask = (BigInt(format.reservedHi[at] >>> 0) << 32n) | BigInt(format.reservedLo[at] >>> 0);
  return entry & mask;
}

function malformed(format: Format, entry: bigint): boolean {
  return ((format.badRights >> Number(entry & 7n)) & 1) !== 0;
}

/** Mapped addresses in no slot: MMIO, which may be meant. */
export function checkTargets(context: Context, items: TablesItems, shape: Shape, memory: readonly Area[]): void {
  if (shape.name === 'npt' || shape.name === 'ept') return;
  const has = (gpa: number): boolean => memory.some((area) => area.from <= gpa && gpa < area.end);
  for (const { node, env, to, size } of items.mappings) {
    const first = Number(to);
    const last = Number(to + size) - 1;
    if (has(first) && has(last)) continue;
    const which = has(first) ? `gpa ${show(last)}, the end of the mapping,` : `gpa ${show(to)}`;
    context.report(env, node.to, 'mapped-to-no-slot', `${which} is in no slot: accesses become MMIO exits`, { severity: 'information' });
  }
}
