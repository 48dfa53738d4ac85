export declare function programOf(command: string): string | null;
export declare function desktopVscode(env?: NodeJS.ProcessEnv): string | null;
