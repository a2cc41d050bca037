//! The macro that makes a type a module.

/// Exports an effect from a module; once in a crate.
///
/// Natively it only checks the description, and nothing is exported: the type is tested as it is,
/// and has the name `ExportedEffect` besides.
/// For `wasm32` it adds all functions of the contract, an allocator and a panic handler, so such a
/// crate must be `no_std`. A description that no host would take does not compile.
///
/// ```
/// # use wavemill_effect::{Block, CreateError, Description, Effect, Flow, Setup};
/// struct Inverter;
///
/// impl Effect for Inverter {
///     const DESCRIPTION: Description = Description::new("inverter", "Inverter", "1.0.0");
///
///     fn create(_: &Setup<'_>) -> Result<Self, CreateError> {
///         Ok(Self)
///     }
///
///     fn process(&mut self, block: &mut Block<'_>) -> Flow {
///         for plane in block.planes_mut() {
///             plane.iter_mut().for_each(|sample| *sample = -*sample);
///         }
///         Flow::Continue
///     }
///
///     fn reset(&mut self) {}
/// }
///
/// wavemill_effect::export_effect!(Inverter);
/// ```
///
/// ```compile_fail
/// # use wavemill_effect::{Block, CreateError, Description, Effect, Flow, Setup};
/// struct Nameless;
///
/// impl Effect for Nameless {
///     const DESCRIPTION: Description = Description::new("nameless", "", "1.0.0");
/// #   fn create(_: &Setup<'_>) -> Result<Self, CreateError> {
/// #       Ok(Self)
/// #   }
/// #   fn process(&mut self, _: &mut Block<'_>) -> Flow {
/// #       Flow::Continue
/// #   }
/// #   fn reset(&mut self) {}
/// }
///
/// wavemill_effect::export_effect!(Nameless); // `name` must have 1 to 64 bytes
/// ```
#[macro_export]
macro_rules! export_effect {
    ($effect:ty) => {
        /// The effect of this crate, for benches that do not know its name.
        #[allow(dead_code, private_interfaces, unreachable_pub, reason = "for those who want it")]
        pub type ExportedEffect = $effect;

        const _: () = {
            const DESCRIPTION: $crate::Description = <$effect as $crate::Effect>::DESCRIPTION;
            $crate::validity::check(&DESCRIPTION);
        };

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            const DESCRIPTION: $crate::Description = <$effect as $crate::Effect>::DESCRIPTION;
            const JSON: [u8; $crate::json::length(&DESCRIPTION)] =
                $crate::json::write(&DESCRIPTION);
            // The byte after the text stays zero: it ends it.
            static TEXT: [u8; JSON.len() + 1] = {
                let mut text = [0; JSON.len() + 1];
                let (start, _) = text.split_at_mut(JSON.len());
                start.copy_from_slice(&JSON);
                text
            };
            type Instance = $crate::instance::Instance<$effect, { DESCRIPTION.params.len() }>;
            static INSTANCE: $crate::wasm::Global<Instance> =
                $crate::wasm::Global::new(Instance::new());

            fn instance() -> &'static mut Instance {
                // SAFETY: every export asks once, and calls never overlap.
                unsafe { INSTANCE.get() }
            }

            #[unsafe(no_mangle)]
            extern "C" fn fx_abi_1() {}

            #[unsafe(no_mangle)]
            extern "C" fn fx_describe() -> *const u8 {
                TEXT.as_ptr()
            }

            #[unsafe(no_mangle)]
            extern "C" fn fx_create(sample_rate: f64, channels: u32, max_frames: u32) -> i32 {
                $crate::wasm::create(instance(), sample_rate, channels, max_frames)
            }

            #[unsafe(no_mangle)]
            extern "C" fn fx_in(channel: u32) -> *mut f32 {
                instance().plane(channel as usize)
            }

            #[unsafe(no_mangle)]
            extern "C" fn fx_out(channel: u32) -> *mut f32 {
                instance().plane(channel as usize)
            }

            #[unsafe(no_mangle)]
            extern "C" fn fx_process(frames: u32) -> i32 {
                $crate::wasm::result(instance().process(frames as usize))
            }

            #[unsafe(no_mangle)]
            extern "C" fn fx_set_param(id: u32, value: f64) {
                instance().set_param(id, value);
            }

            #[unsafe(no_mangle)]
            extern "C" fn fx_reset() {
                instance().reset();
            }

            #[unsafe(no_mangle)]
            extern "C" fn fx_latency() -> u32 {
                instance().latency()
            }

            #[unsafe(no_mangle)]
            extern "C" fn fx_tail() -> u32 {
                instance().tail()
            }

            #[unsafe(no_mangle)]
            extern "C" fn fx_meter(index: u32) -> f32 {
                instance().meter(index as usize)
            }

            #[unsafe(no_mangle)]
            extern "C" fn fx_error() -> *const u8 {
                $crate::wasm::error()
            }
        };
    };
}
