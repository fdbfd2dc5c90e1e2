<?php
/** The way to the shop's database: waited for while it is on its way, given up soon when it refuses the login. */

// What MariaDB says of a password that it does not take, of a database that is not the user's, of one that is not there.
const REFUSALS = [1044, 1045, 1049, 1698];
const REFUSED_SECONDS = 10;

mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

function connect(): mysqli
{
    [$host, $port] = explode(':', need('WORDPRESS_DB_HOST') . ':3306');
    $database = mysqli_init();
    $database->options(MYSQLI_OPT_CONNECT_TIMEOUT, 5);
    $user = need('WORDPRESS_DB_USER');
    @$database->real_connect($host, $user, need('WORDPRESS_DB_PASSWORD'), need('WORDPRESS_DB_NAME'), (int) $port);
    return $database;
}

/**
 * A port that is open proves nothing: the user is made after it. So the wait is for a login, and a database that goes on
 * refusing it is no longer on its way: its volume knows another password. The end of this container tells the platform.
 */
function wait_for_database(int $seconds): mysqli
{
    $began = microtime(true);
    $refused_since = null;
    $said = '';
    while (true) {
        try {
            $database = connect();
            say(sprintf('the database answers, after %.1f s.', microtime(true) - $began));
            return $database;
        } catch (mysqli_sql_exception $error) {
            $reason = sprintf('%s (%d)', $error->getMessage(), $error->getCode());
            $refused_since = in_array($error->getCode(), REFUSALS, true) ? $refused_since ?? microtime(true) : null;
        }
        $where = need('WORDPRESS_DB_USER') . '@' . need('WORDPRESS_DB_HOST') . '/' . need('WORDPRESS_DB_NAME');
        if (microtime(true) - $began > $seconds) {
            refuse("the database $where took no login within $seconds s: $reason.");
        }
        if ($refused_since !== null && microtime(true) - $refused_since > REFUSED_SECONDS) {
            refuse("the database $where refuses the login: $reason.");
        }
        if ($reason !== $said) {
            say("waiting for the database $where, up to $seconds s: $reason.");
            $said = $reason;
        }
        usleep(500_000);
    }
}
