/** All items of files and of VMs. */
import type { FileItemKind, VmItemKind } from '../kind';
import { vmLoop } from '../statements/for';
import type { For } from '../statements/for';
import type { ErrorNode } from '../syntax/tree';
import { block } from './block';
import type { Block } from './block';
import { budget } from './budget';
import type { Budget } from './budget';
import { constant } from './const';
import type { Const } from './const';
import { host } from './host';
import type { Host } from './host';
import { importFile } from './import';
import type { Import } from './import';
import { load } from './load';
import type { Load } from './load';
import { memoryWord } from './memory-word';
import type { MemoryWord } from './memory-word';
import { run } from './run';
import type { Run } from './run';
import { setting } from './setting';
import type { Setting } from './setting';
import { slot } from './slot';
import type { Slot } from './slot';
import { tables } from './tables/tables';
import type { Tables } from './tables/tables';
import { vcpu } from './vcpu';
import type { Vcpu } from './vcpu';
import { vm } from './vm';
import type { Vm } from './vm';

export type Item = FileItem | ErrorNode;
type FileItem = Import | Const | Host | Budget | Vm | Block | Run;

export type VmItem = KnownVmItem | ErrorNode;
type KnownVmItem = Setting | Slot | Vcpu | Tables | MemoryWord | Load | Vm | Const | For;

export const FILE_ITEM_KINDS: { readonly [K in FileItem['kind']]: FileItemKind<Extract<FileItem, { kind: K }>> } = {
  import: importFile,
  const: constant,
  host,
  budget,
  vm,
  block,
  run,
};

export const VM_ITEM_KINDS: { readonly [K in KnownVmItem['kind']]: VmItemKind<Extract<KnownVmItem, { kind: K }>> } = {
  setting,
  slot,
  vcpu,
  tables,
  'memory-word': memoryWord,
  load,
  vm,
  const: constant,
  for: vmLoop,
};

export function fileItemKind<N extends FileItem>(node: N): FileItemKind<N> {
  return FILE_ITEM_KINDS[node.kind] as unknown as FileItemKind<N>;
}

export function vmItemKind<N extends KnownVmItem>(node: N): VmItemKind<N> {
  return VM_ITEM_KINDS[node.kind] as unknown as VmItemKind<N>;
}
