<?php
/**
 * Installs a store's shop, or finds that there is nothing to do. Runs before each start of WordPress.
 *
 * It waits until the database takes a login, holds a lock of the database, so that two pods never install at once, and
 * compares the mark of the last finished run with this code and its versions. Where they are equal it ends: no WordPress
 * is loaded, a restart costs a fraction of a second. Otherwise two processes follow, as a plugin cannot be loaded into a
 * WordPress that is already up: core.php makes the tables and the administrator and activates WooCommerce, seed.php runs
 * inside a complete WordPress with WooCommerce.
 *
 * What the owner may change is written once and never again; only the schema follows a new image.
 */

require __DIR__ . '/step.php';
require __DIR__ . '/database.php';

const LOCK = 'urumi-install';
const REVISION_OPTION = 'urumi_revision';

function take_lock(mysqli $database, int $seconds): void
{
    $statement = $database->prepare('SELECT GET_LOCK(?, ?)');
    $statement->execute([LOCK, $seconds]);
    if ((int) $statement->get_result()->fetch_column() !== 1) {
        refuse("another pod of this store has been installing for $seconds s; the next start tries again.");
    }
}

/** What the mark has to be: the code that installs, and the versions of what it installs. */
function wanted_revision(string $root): string
{
    $sources = ["$root/wp-includes/version.php", "$root/wp-content/plugins/woocommerce/woocommerce.php"];
    foreach (['step.php', 'install.php', 'core.php', 'seed.php'] as $name) {
        $sources[] = __DIR__ . '/' . $name;
    }
    $sums = [];
    foreach ($sources as $source) {
        if (!is_file($source)) {
            refuse("$source is missing: this is not the image of a store.");
        }
        $sums[] = hash_file('sha256', $source);
    }
    return substr(hash('sha256', implode(' ', $sums)), 0, 16);
}

function found_revision(mysqli $database): ?string
{
    $table = (getenv('WORDPRESS_TABLE_PREFIX') ?: 'wp_') . 'options';
    try {
        $statement = $database->prepare("SELECT option_value FROM `$table` WHERE option_name = ?");
        $statement->execute([REVISION_OPTION]);
        return $statement->get_result()->fetch_column() ?: null;
    } catch (mysqli_sql_exception $error) {
        if ($error->getCode() === 1146) { // there is no such table, so nothing is installed
            return null;
        }
        throw $error;
    }
}

function run(string $step): void
{
    $began = microtime(true);
    $command = [PHP_BINARY, '-d', 'memory_limit=512M', '-d', 'display_errors=stderr', '-d', 'log_errors=0'];
    $process = proc_open([...$command, __DIR__ . "/$step.php"], [['file', '/dev/null', 'r'], STDOUT, STDERR], $pipes);
    $code = proc_close($process);
    if ($code !== 0) {
        refuse("$step.php ended with exit code $code, its words are above. Nothing is lost: the next start goes on from here.");
    }
    say(sprintf('%s.php took %.1f s.', $step, microtime(true) - $began));
}

$seconds = (int) (getenv('URUMI_DATABASE_WAIT_SECONDS') ?: 300);
foreach (['URUMI_STORE_URL', 'URUMI_STORE_TITLE', 'URUMI_ADMIN_USERNAME', 'URUMI_ADMIN_PASSWORD', 'URUMI_ADMIN_EMAIL'] as $name) {
    need($name);
}
$revision = wanted_revision(wordpress_root());
$database = wait_for_database($seconds);
take_lock($database, $seconds);
if (found_revision($database) === $revision) {
    say("the shop is installed already, revision $revision.");
    exit(0);
}
run('core');
putenv("URUMI_REVISION=$revision");
run('seed');
say("the shop takes orders, revision $revision.");
