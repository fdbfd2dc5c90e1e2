{{/*
The environment of the containers that run WordPress. wp-config.php reads it on every request, so the web container and
the init container must have the same. The keys and salts also sign carts, so they must not change on a restart.
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
    define('FS_METHOD', 'direct');
    define('WP_MEMORY_LIMIT', '256M');
    define('WP_MAX_MEMORY_LIMIT', '256M');
    require '/usr/local/lib/urumi/early.php';
- name: URUMI_WORDPRESS_ROOT
  value: /usr/src/wordpress
- name: URUMI_PORT
  value: {{ .Values.wordpress.port | quote }}
- name: URUMI_WORKERS
  value: {{ .Values.wordpress.workers | quote }}
{{- include "woocommerce.mail" . }}
{{- end }}

{{/* The mail server. Without a host no mail is sent, and the function that sends mail reports a failure. */}}
{{- define "woocommerce.mail" -}}
{{- with .Values.mail }}
{{- if .host }}
- name: URUMI_MAIL_HOST
  value: {{ .host | quote }}
- name: URUMI_MAIL_PORT
  value: {{ .port | quote }}
- name: URUMI_MAIL_ENCRYPTION
  value: {{ .encryption | quote }}
- name: URUMI_MAIL_FROM
  value: {{ .from | quote }}
{{- if .secretName }}
{{ include "urumi.secretVariable" (dict "name" "URUMI_MAIL_USERNAME" "secret" .secretName "key" "username") }}
{{ include "urumi.secretVariable" (dict "name" "URUMI_MAIL_PASSWORD" "secret" .secretName "key" "password") }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The settings of the first installation. */}}
{{- define "woocommerce.shopVariables" -}}
{{- with .Values.shop }}
- name: URUMI_SHOP_COUNTRY
  value: {{ .country | quote }}
- name: URUMI_SHOP_CURRENCY
  value: {{ .currency | quote }}
- name: URUMI_SHOP_SHIPPING_COST
  value: {{ .shippingCost | quote }}
- name: URUMI_SHOP_SAMPLES
  value: {{ .sampleProducts | quote }}
{{- end }}
{{- end }}

{{/* The image that runs WordPress: ours, or the official one with stock.enabled. */}}
{{- define "woocommerce.image" -}}
{{- ternary .Values.stock.image .Values.wordpress.image .Values.stock.enabled | toYaml }}
{{- end }}

{{/* The volume mounts of every container of the shop. */}}
{{- define "woocommerce.mounts" -}}
{{- if .Values.stock.enabled }}
- name: code
  mountPath: /usr/src/wordpress
  readOnly: true
- name: files
  mountPath: /usr/local/lib/urumi
  readOnly: true
{{- end }}
- name: uploads
  mountPath: {{ .Values.wordpress.uploads.mountPath }}
  subPath: uploads
- name: tmp
  mountPath: /tmp
  subPath: wordpress
- name: run
  mountPath: /run
{{- end }}

{{/* The ConfigMap of the stock image; its name changes with its content, so that a change restarts the pod. */}}
{{- define "woocommerce.filesName" -}}
wordpress-files-{{ (.Files.Glob "files/*").AsConfig | sha256sum | trunc 8 }}
{{- end }}
