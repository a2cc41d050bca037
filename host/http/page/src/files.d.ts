declare module "*/profiles.toml" {
  const profiles: { id: string; name: string; bands: Record<string, { min?: number; max?: number }> }[];
  export default profiles;
}

declare module "*.css";
