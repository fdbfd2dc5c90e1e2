{{/* The environment of the containers that run Medusa: the backend and the init container that migrates. */}}
{{- define "medusa.variables" -}}
{{- $secret := .Values.store.secretsName }}
{{- include "urumi.storeVariables" . }}
- name: HOME
  value: /tmp
- name: NODE_ENV
  value: production
- name: NODE_OPTIONS
  value: "--max-old-space-size={{ .Values.backend.maxHeapMiB }}"
{{ include "urumi.secretVariable" (dict "name" "DATABASE_PASSWORD" "secret" $secret "key" "database-password") }}
- name: DATABASE_URL
  value: postgres://medusa:$(DATABASE_PASSWORD)@postgres:5432/medusa?sslmode=disable
- name: REDIS_URL
  value: redis://redis:6379
{{ include "urumi.secretVariable" (dict "name" "JWT_SECRET" "secret" $secret "key" "jwt-secret") }}
{{ include "urumi.secretVariable" (dict "name" "COOKIE_SECRET" "secret" $secret "key" "cookie-secret") }}
{{- range $name := list "STORE_CORS" "ADMIN_CORS" "AUTH_CORS" }}
- name: {{ $name }}
  value: {{ include "urumi.url" $ | quote }}
{{- end }}
{{- /* Browsers keep a Secure cookie only over https, so on plain http it would make signing in impossible. */}}
- name: URUMI_COOKIE_SECURE
  value: {{ eq .Values.store.scheme "https" | quote }}
- name: MEDUSA_WORKER_MODE
  value: shared
- name: DISABLE_MEDUSA_ADMIN
  value: "false"
- name: MEDUSA_DISABLE_TELEMETRY
  value: "true"
{{ include "medusa.publishableKey" . }}
{{- end }}

{{/* The settings of the first setup. */}}
{{- define "medusa.setupVariables" -}}
- name: URUMI_SHOP_COUNTRIES
  value: {{ join "," .Values.shop.countries | quote }}
- name: URUMI_SHOP_CURRENCY
  value: {{ .Values.shop.currency | quote }}
- name: URUMI_SHOP_SHIPPING_COST
  value: {{ .Values.shop.shippingCost | quote }}
- name: URUMI_SHOP_SAMPLES
  value: {{ .Values.shop.sampleProducts | quote }}
{{- end }}

{{/* The key that the storefront sends with every request; the database holds the same key. */}}
{{- define "medusa.publishableKey" -}}
{{ include "urumi.secretVariable" (dict "name" "URUMI_PUBLISHABLE_KEY" "secret" .Values.store.secretsName "key" "publishable-key") }}
{{- end }}

{{/*
The backend needs both databases to shut down; without them it waits until it is killed. Therefore the databases keep
running for some seconds when all pods of a store are terminated at the same time.
*/}}
{{- define "medusa.delayedStop" -}}
lifecycle:
  preStop:
    exec:
      command: [sleep, "5"]
{{- end }}
