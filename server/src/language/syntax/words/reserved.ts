/** Words that begin a declaration, a statement or a clause and therefore cannot be names. */
export const RESERVED: readonly string[] = [
  'import', 'const', 'host', 'budget', 'vm', 'slot', 'vcpu', 'tables', 'block', 'run', 'under', 'with', 'for',
  'on', 'off', 'yes', 'no', 'not', 'expect', 'user', 'supervisor', 'implicit', 'read', 'write', 'fetch', 'rmw',
  'invlpg', 'invpcid', 'invept', 'invvpid', 'vmlaunch', 'vmresume', 'vmrun',
]; // prettier-ignore
