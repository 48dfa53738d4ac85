import type { Rule } from 'eslint';

export declare function refusal(file: string, specifier: string): string | null;
export declare const roomsRule: Rule.RuleModule;
