declare const MMU_VERSION: string;

/** The package's version, put in by the build; sources run without one have none. */
export const VERSION: string = typeof MMU_VERSION === 'undefined' ? 'unbuilt' : MMU_VERSION;
