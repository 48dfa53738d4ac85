import './commands.test';
import './editing.test';
