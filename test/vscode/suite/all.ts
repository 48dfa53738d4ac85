import './commands.test';
import './editing.test';
import './first-contact.test';
