{{/*
The environment of everything that runs WordPress's code: wp-config.php reads it on every request, so the web container
and the install container must agree. The keys and salts also sign carts, and so must outlive a restart.
*/}}
{{- define "woocommerce.variables" -}}
{{- $secret := .Values.store.secretsName }}
{{- include "urumi.storeVariables" . }}
- name: HOME
  value: /tmp
- name: WORDPRESS_DB_HOST
  value: mariadb
- name: WORDPRESS_DB_NAME
  value: wordpress
- name: WORDPRESS_DB_USER
  value: wordpress
- name: WORDPRESS_DB_CHARSET
  value: utf8mb4
{{ include "urumi.secretVariable" (dict "name" "WORDPRESS_DB_PASSWORD" "secret" $secret "key" "database-password") }}
{{- range $name := list "auth-key" "secure-auth-key" "logged-in-key" "nonce-key" "auth-salt" "secure-auth-salt" "logged-in-salt" "nonce-salt" }}
{{- $key := printf "wordpress-%s" $name }}
{{ include "urumi.secretVariable" (dict "name" ($key | upper | replace "-" "_") "secret" $secret "key" $key) }}
{{- end }}
- name: WORDPRESS_CONFIG_EXTRA
  value: |-
    define('WP_HOME', '{{ include "urumi.url" . }}');
    define('WP_SITEURL', '{{ include "urumi.url" . }}');
    define('DISABLE_WP_CRON', {{ .Values.cron.enabled }});
    define('AUTOMATIC_UPDATER_DISABLED', true);
    define('WP_AUTO_UPDATE_CORE', false);
    define('DISALLOW_FILE_MODS', true);
    define('WP_MEMORY_LIMIT', '256M');
    define('WP_MAX_MEMORY_LIMIT', '256M');
{{- end }}
