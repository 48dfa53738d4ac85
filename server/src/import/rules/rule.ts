/** A rule that says what a trace does not: what an episode, or its repetition, lets one conclude of KVM, of the guest or of the host. */
import type { Release } from '../../events/kernel-text/versions';
import type { Episode } from '../episodes/episode';
import type { Recording } from '../episodes/recording';
import type { Folded } from '../folding/run';

/** `proves`: the kernel prints this nowhere else; `suggests`: it is the likeliest of several reasons, which the rule names. */
export type Certainty = 'proves' | 'suggests';

export interface RuleContext {
  readonly recording: Recording;
  /** The last exception that the task injected. */
  readonly injected: { readonly line: number; readonly vector: string } | null;
}

export interface Rule {
  /** What is so, in a sentence. */
  readonly about: string;
  readonly sure: Certainty;
  /** Where in arch/x86/kvm, by the names of 6.1 and, where they differ, of 6.12. */
  readonly function: string;
  /** Kernels in which it holds: first release, and first in which it does not any more; absent: as far as is known all do. */
  readonly since?: Release;
  readonly until?: Release;
  /** Section of docs/spec/mmu-semantics.md. */
  readonly section: string;
  /** File of samples/traces that shows it. */
  readonly sample: string;
  /** What it says of an episode; null: nothing. */
  readonly episode?: (episode: Episode, context: RuleContext) => Conclusion | null;
  /** What it says of episodes that come again and again. */
  readonly loop?: (loop: Folded, context: RuleContext) => Conclusion | null;
}

/** In words, made when they are shown. */
export type Conclusion = () => string;

export interface Rules {
  readonly [name: string]: Rule;
}
