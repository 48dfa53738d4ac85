export declare const COUNTS: string;
export declare const SAID: string;
