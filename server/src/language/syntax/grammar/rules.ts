/** All rules of the language. Those of kinds are in the files of the kinds; a name here is for what other rules name. */
import { EXPECTATION_KINDS } from '../../expectations/kinds';
import { faultFlags } from '../../expectations/fault';
import { parameter } from '../../machine/block';
import { constant } from '../../machine/const';
import { FILE_ITEM_KINDS, VM_ITEM_KINDS } from '../../machine/kinds';
import { memoryWord, store } from '../../machine/memory-word';
import { slot } from '../../machine/slot';
import { TABLES_ITEM_KINDS } from '../../machine/tables/kinds';
import { vcpuItem } from '../../machine/vcpu';
import { eventRule } from '../../parts/event';
import { handlerRule } from '../../parts/handler';
import { expect } from '../../statements/expect';
import { scriptLoop, tablesLoop, vmLoop } from '../../statements/for';
import { HOST_ACT_KINDS } from '../../statements/host/kinds';
import { invalidationType, invept, invlpg, invpcid, invvpid, pcid, vpid } from '../../statements/invalidate';
import { STATEMENT_KINDS } from '../../statements/kinds';
import { performer, performingVcpu } from '../../statements/performed';
import * as ofExpectations from './expectations';
import * as ofExpressions from './expressions';
import * as ofFile from './file';
import * as ofHost from './host-acts';
import * as ofMachine from './machine';
import * as ofParts from './parts';
import type { Expect, MemoryWord, Slot } from '../tree';
import type { Rule } from './rule';
import * as ofScript from './script';
import * as ofSettings from './setting-rules';
import * as ofUnder from './under';

interface Read {
  readonly rule: Rule<[], unknown>;
}

export const RULES = {
  file: ofFile.file,
  declaration: ofFile.declaration,
  parameter,
  slot: slot.rule as Rule<[], Slot>,
  vmBody: ofMachine.vmBody,
  vmItem: ofMachine.vmItem,
  vcpuBody: ofMachine.vcpuBody,
  vcpuItem,
  handler: handlerRule,
  memoryWord: memoryWord.rule as Rule<[], MemoryWord>,
  tablesBody: ofMachine.tablesBody,
  tablesItem: ofMachine.tablesItem,
  level: ofMachine.level,
  scriptLoop: scriptLoop.rule,
  vmLoop: vmLoop.rule,
  tablesLoop: tablesLoop.rule,
  hostSetting: ofSettings.hostSetting,
  cpuSetting: ofSettings.cpuSetting,
  tlbSetting: ofSettings.tlbSetting,
  kvmSetting: ofSettings.kvmSetting,
  budgetSetting: ofSettings.budgetSetting,
  vmSetting: ofSettings.vmSetting,
  cpuidSetting: ofSettings.cpuidSetting,
  slotSetting: ofSettings.slotSetting,
  vcpuSetting: ofSettings.vcpuSetting,
  hostSettings: ofSettings.hostSettings,
  cpuSettings: ofSettings.cpuSettings,
  tlbSettings: ofSettings.tlbSettings,
  kvmSettings: ofSettings.kvmSettings,
  budgetSettings: ofSettings.budgetSettings,
  cpuidSettings: ofSettings.cpuidSettings,
  slotSettings: ofSettings.slotSettings,
  scriptBody: ofScript.scriptBody,
  statement: ofScript.statement,
  performer,
  performingVcpu,
  store: store.rule,
  invlpg,
  pcid,
  invalidationType,
  vpid,
  invpcid,
  invept,
  invvpid,
  hostBody: ofHost.hostBody,
  hostAct: ofHost.hostAct,
  slotId: ofHost.slotId,
  dirtyLog: ofHost.dirtyLog,
  area: ofHost.area,
  expect: expect.rule as Rule<[], Expect>,
  expectation: ofExpectations.expectation,
  faultFlags,
  reason: ofExpectations.reason,
  event: eventRule,
  eventField: ofExpectations.eventField,
  entry: ofParts.entry,
  entryBit: ofParts.entryBit,
  register: ofParts.register,
  mappingFlag: ofParts.mappingFlag,
  entryFlag: ofParts.entryFlag,
  slotFlag: ofParts.slotFlag,
  protectFlag: ofParts.protectFlag,
  mappingFlags: ofParts.mappingFlags,
  entryFlags: ofParts.entryFlags,
  slotFlags: ofParts.slotFlags,
  protectFlags: ofParts.protectFlags,
  under: ofUnder.under,
  mmuKinds: ofUnder.mmuKinds,
  kernels: ofUnder.kernels,
  kernelName: ofUnder.kernelName,
  constant: constant.rule,
  expression: ofExpressions.expression,
  operand: ofExpressions.operand,
  parenthesized: ofExpressions.parenthesized,
  extent: ofExpressions.extent,
  range: ofExpressions.range,
  span: ofExpressions.span,
} as const;

/** The rules of all kinds, named after their nodes. */
export function* rulesOfKinds(): Generator<[name: string, rule: Rule<[], unknown>]> {
  for (const kinds of [FILE_ITEM_KINDS, VM_ITEM_KINDS, TABLES_ITEM_KINDS, STATEMENT_KINDS, EXPECTATION_KINDS]) {
    for (const [name, { rule }] of Object.entries<Read>(kinds)) yield [camelCase(name), rule];
  }
  for (const [name, { rule }] of Object.entries<Read>(HOST_ACT_KINDS)) yield [camelCase(`host-${name}`), rule];
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
