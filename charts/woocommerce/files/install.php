<?php
/**
 * Installs the shop of a store, if it is not installed yet. Runs before each start of WordPress.
 *
 * It waits until a login to the database succeeds, takes a lock in the database, so that two pods never install at the
 * same time, and compares the revision that the last completed run stored with the revision of this code and its versions.
 * If they are equal, it ends without loading WordPress, so a restart takes a fraction of a second. Otherwise it runs two
 * processes, because a plugin cannot be loaded into a running WordPress: core.php creates the tables and the administrator
 * and activates WooCommerce; seed.php runs in a complete WordPress with WooCommerce.
 *
 * Settings that the owner may change are written once. A new image updates the schema only.
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
        abort_install(
            "could not get the installation lock within $seconds s: another pod of this store has it. The next start retries.",
        );
    }
}

/** Return the revision of this image: a digest of the installing code and of the installed versions. */
function image_revision(string $root): string
{
    $sources = ["$root/wp-includes/version.php", "$root/wp-content/plugins/woocommerce/woocommerce.php"];
    foreach (['step.php', 'install.php', 'core.php', 'seed.php'] as $name) {
        $sources[] = __DIR__ . '/' . $name;
    }
    $sums = [];
    foreach ($sources as $source) {
        if (!is_file($source)) {
            abort_install("$source not found: the image is incomplete. Build it with scripts/images.");
        }
        $sums[] = hash_file('sha256', $source);
    }
    return substr(hash('sha256', implode(' ', $sums)), 0, 16);
}

/** Return the revision of the last completed run. */
function installed_revision(mysqli $database): ?string
{
    $table = (getenv('WORDPRESS_TABLE_PREFIX') ?: 'wp_') . 'options';
    try {
        $statement = $database->prepare("SELECT option_value FROM `$table` WHERE option_name = ?");
        $statement->execute([REVISION_OPTION]);
        return $statement->get_result()->fetch_column() ?: null;
    } catch (mysqli_sql_exception $error) {
        if ($error->getCode() === 1146) { // the table does not exist, so nothing is installed
            return null;
        }
        throw $error;
    }
}

function run_step(string $step): void
{
    $began = microtime(true);
    $command = [PHP_BINARY, '-d', 'memory_limit=512M', '-d', 'display_errors=stderr', '-d', 'log_errors=0'];
    $process = proc_open([...$command, __DIR__ . "/$step.php"], [['file', '/dev/null', 'r'], STDOUT, STDERR], $pipes);
    $code = proc_close($process);
    if ($code !== 0) {
        abort_install(
            "$step.php failed with exit code $code: see its output above. The next start continues the installation.",
        );
    }
    log_progress(sprintf('%s.php completed in %.1f s.', $step, microtime(true) - $began));
}

$seconds = (int) (getenv('URUMI_DATABASE_WAIT_SECONDS') ?: 300);
foreach (['URUMI_STORE_URL', 'URUMI_STORE_TITLE', 'URUMI_ADMIN_USERNAME', 'URUMI_ADMIN_PASSWORD', 'URUMI_ADMIN_EMAIL'] as $name) {
    required_env($name);
}
$revision = image_revision(wordpress_root());
$database = wait_for_database($seconds);
take_lock($database, $seconds);
if (installed_revision($database) === $revision) {
    log_progress("the shop is already installed, revision $revision.");
    exit(0);
}
run_step('core');
putenv("URUMI_REVISION=$revision");
run_step('seed');
log_progress("the shop accepts orders, revision $revision.");
